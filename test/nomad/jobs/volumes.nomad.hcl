job "store" {
  group "store" {
    volume "data" {
      type      = "host"
      source    = "store-data"
      read_only = false
    }

    volume "shared" {
      type            = "csi"
      source          = "shared"
      access_mode     = "multi-node-multi-writer"
      attachment_mode = "file-system"
    }

    task "store" {
      driver = "exec"

      volume_mount {
        volume      = "data"
        destination = "/var/lib/store"
      }

      volume_mount {
        volume           = "shared"
        destination      = "/shared"
        propagation_mode = "host-to-task"
      }

      config {
        command = "/usr/local/bin/store"
        args    = ["--data", "/var/lib/store"]
      }
    }
  }
}
