job "edge" {
  type = "system"
  group "edge" {
    network {
      port "http" {
        static = 80
      }
      port "https" {
        static = 443
      }
      port "admin" {
        static = 8081
      }
    }
    task "edge" {
      driver = "exec"
      config {
        command = "/usr/local/bin/edge"
        args    = ["-listen", ":80", "-listen", ":443"]
      }
    }
  }
}
