job "inventory" {
  type     = "sysbatch"
  priority = 30

  constraint {
    attribute = "${attr.kernel.name}"
    value     = "linux"
  }

  group "inventory" {
    task "inventory" {
      driver = "exec"
      config {
        command = "uname"
        args    = ["-a"]
      }
      resources { cpu = 50 }
    }
  }
}
