job "staged" {
  group "staged" {
    task "migrate" {
      driver = "exec"
      lifecycle {
        hook    = "prestart"
        sidecar = false
      }
      config {
        command = "sh"
        args    = ["-c", "echo migrated > /alloc/data/schema"]
      }
    }

    task "proxy" {
      driver = "exec"
      lifecycle {
        hook    = "prestart"
        sidecar = true
      }
      config {
        command = "sh"
        args    = ["-c", "trap 'exit 0' INT; echo up; while :; do sleep 0.05; done"]
      }
    }

    task "main" {
      driver = "exec"
      leader = true
      config {
        command = "sh"
        args    = ["-c", "echo main"]
      }
    }

    task "notify" {
      driver = "exec"
      lifecycle {
        hook = "poststop"
      }
      config {
        command = "sh"
        args    = ["-c", "echo done"]
      }
    }
  }
}
