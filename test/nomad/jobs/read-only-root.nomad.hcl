job "legacy" {
  type = "batch"
  group "legacy" {
    task "legacy" {
      driver = "exec"
      artifact {
        source      = "git::https://git.example.com/legacy.git"
        destination = "opt/legacy"
      }
      template {
        data        = "a = 1"
        destination = "etc/legacy.conf"
      }
      config {
        command = "/opt/legacy/run"
      }
    }
    task "image" {
      driver = "docker"
      config {
        image = "legacy:1"
      }
    }
  }
}
