job "web" {
  datacenters = ["dc1", "dc2"]

  update {
    max_parallel     = 1
    canary           = 1
    min_healthy_time = "10s"
    auto_revert      = true
  }

  group "web" {
    count = 3

    network {
      port "http" {
        to = 8080
      }
    }

    service {
      name     = "web"
      port     = "http"
      provider = "nomad"
      tags     = ["edge", "urlprefix-/web"]

      check {
        type     = "http"
        path     = "/health"
        interval = "10s"
        timeout  = "2s"
      }
    }

    task "server" {
      driver       = "exec"
      kill_signal  = "SIGTERM"
      kill_timeout = "20s"

      config {
        command = "/bin/sh"
        args    = ["-c", "trap 'exit 0' TERM; echo listening at ${NOMAD_PORT_http}; while :; do sleep 0.05; done"]
      }

      service {
        name = "web-script"

        check {
          type     = "script"
          command  = "/bin/sh"
          args     = ["-c", "test -e /local"]
          interval = "30s"
          timeout  = "5s"
        }
      }

      resources {
        cpu    = 200
        memory = 64
      }
    }
  }
}
