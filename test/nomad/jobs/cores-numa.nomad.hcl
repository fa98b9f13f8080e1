job "encode" {
  type = "batch"
  group "encode" {
    task "encode" {
      driver = "exec"
      config {
        command = "sh"
        args    = ["-c", "grep Cpus_allowed_list /proc/self/status"]
      }
      resources {
        cores  = 1
        memory = 128
        numa {
          affinity = "prefer"
        }
      }
    }
  }
}
