job "lookup" {
  type = "batch"
  group "lookup" {
    task "lookup" {
      driver = "exec"
      artifact {
        source      = "https://files.example.com/lookup"
        destination = "usr/local/bin"
      }
      template {
        data        = "servers = 3\n"
        destination = "etc/lookup.conf"
        change_mode = "noop"
      }
      template {
        data        = "zone: own\n"
        destination = "etc/lookup/zones.yml"
      }
      config {
        command = "lookup"
        args    = ["/etc/lookup.conf", "/etc/lookup/zones.yml"]
      }
    }
  }
}
