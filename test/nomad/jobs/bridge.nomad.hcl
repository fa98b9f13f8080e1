job "cache" {
  group "cache" {
    network {
      mode = "bridge"
      port "cache" {
        static = 443
        to     = 6379
      }
      dns {
        servers  = ["10.0.0.2"]
        searches = ["internal.example"]
      }
    }

    task "cache" {
      driver = "exec"
      config {
        command = "/usr/bin/redis-server"
        args    = ["--port", "6379", "--dir", "${NOMAD_TASK_DIR}"]
      }
    }
  }
}
