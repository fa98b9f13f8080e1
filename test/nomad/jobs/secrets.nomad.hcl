job "billing" {
  type = "batch"
  group "billing" {
    task "billing" {
      driver = "exec"
      identity {
        name = "billing"
        aud  = ["billing.example.com"]
        file = true
        ttl  = "1h"
      }
      secret "db" {
        provider = "nomad"
        path     = "billing/db"
      }
      vault {
        role = "billing"
        env  = false
      }
      env {
        DB_USER = "${secret.db.user}"
      }
      config {
        command = "sh"
        args    = ["-c", "wc -c < /secrets/nomad_billing.jwt"]
      }
      resources {
        secrets = 2
      }
    }
  }
}
