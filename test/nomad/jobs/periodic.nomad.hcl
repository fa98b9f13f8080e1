job "cleanup" {
  type = "batch"

  periodic {
    crons            = ["*/15 * * * *"]
    prohibit_overlap = true
    time_zone        = "UTC"
  }

  group "cleanup" {
    restart {
      attempts = 1
      mode     = "fail"
    }

    task "sweep" {
      driver = "exec"
      config {
        command = "/bin/sh"
        args = [
          "-c",
          # Comments may be anywhere.
          "find /alloc/tmp -mindepth 1 -delete; echo swept",
        ]
      }
    }
  }
}
