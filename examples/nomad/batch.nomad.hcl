# nomad job run examples/nomad/batch.nomad.hcl
job "count-words" {
  type = "batch"

  group "count" {
    task "count" {
      driver = "holdfast"

      config {
        command = "/bin/sh"
        args    = ["-c", "wc -w /local/text > /alloc/data/words && cat /alloc/data/words"]

        limits {
          pids = 16
        }
      }

      # What Nomad writes into local/ is at /local in the task.
      template {
        destination = "local/text"
        data        = "hold fast and count these words"
      }

      resources {
        cpu    = 100
        memory = 32
      }
    }
  }
}
