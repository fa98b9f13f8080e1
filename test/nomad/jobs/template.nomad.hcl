job "configured" {
  type = "batch"

  group "app" {
    task "app" {
      driver = "exec"

      template {
        data        = <<-EOT
          [server]
          address = "{{ env "NOMAD_ADDR_http" }}"
          {{- range service "db" }}
          db = "{{ .Address }}:{{ .Port }}"
          {{- end }}
        EOT
        destination = "local/app.ini"
        perms       = "640"
      }

      template {
        data        = "TOKEN={{ with nomadVar \"nomad/jobs/configured\" }}{{ .token }}{{ end }}"
        destination = "${NOMAD_SECRETS_DIR}/app.env"
        env         = true
        change_mode = "restart"
      }

      config {
        command = "cat"
        args    = ["local/app.ini"]
      }
    }
  }
}
