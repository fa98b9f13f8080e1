job "office-hours" {
  group "desk" {
    task "desk" {
      driver         = "exec"
      kill_signal    = "SIGQUIT"
      kill_timeout   = "5s"
      shutdown_delay = "1s"
      schedule {
        cron {
          start    = "0 8 * * * *"
          end      = "0 18"
          timezone = "Europe/Berlin"
        }
      }
      action "reload" {
        command = "/bin/kill"
        args    = ["-HUP", "1"]
      }
      config {
        command = "sh"
        args    = ["-c", "trap 'exit 0' QUIT; echo up; while :; do sleep 0.05; done"]
      }
    }
  }
}
