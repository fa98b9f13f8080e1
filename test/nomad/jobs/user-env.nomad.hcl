job "mailer" {
  type = "batch"
  meta {
    team = "post"
  }
  group "mailer" {
    task "mailer" {
      driver = "exec"
      user   = "nobody"
      env {
        QUEUE    = "outgoing"
        TEAM     = "${NOMAD_META_team}"
        LOG_JSON = true
      }
      config {
        command  = "sh"
        args     = ["-c", "echo $QUEUE in $PWD as $(id -un)"]
        work_dir = "/local"
      }
    }
  }
}
