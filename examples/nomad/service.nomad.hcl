# nomad job run examples/nomad/service.nomad.hcl
job "web" {
  type = "service"

  group "web" {
    count = 2

    network {
      port "http" {}
    }

    task "server" {
      driver = "holdfast"
      user   = "nobody"

      # Asked to end by SIGTERM; killed with all that it has started ten seconds later.
      kill_signal  = "SIGTERM"
      kill_timeout = "10s"

      config {
        command  = "python3"
        args     = ["-m", "http.server", "${NOMAD_PORT_http}"]
        work_dir = "/local"

        limits {
          pids   = 64
          nofile = 1024
        }
      }

      template {
        destination = "local/index.html"
        data        = "allocation {{ env \"NOMAD_ALLOC_ID\" }}\n"
      }

      # Goes beyond memory while the node has some to spare, and is killed beyond memory_max (where the scheduler allows that).
      resources {
        cpu        = 200
        memory     = 64
        memory_max = 128
      }
    }
  }
}
