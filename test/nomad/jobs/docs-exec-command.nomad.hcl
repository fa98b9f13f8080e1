job "docs-sleep" {
  type = "batch"
  group "docs" {
    task "example" {
      driver = "exec"
      config {
        command = "/bin/sleep"
        args    = ["1"]
      }
    }
  }
}
