job "placed" {
  type = "batch"

  group "placed" {
    constraint {
      distinct_hosts = true
    }

    affinity {
      attribute = "${node.class}"
      value     = "fast"
      weight    = 50
    }

    spread {
      attribute = "${node.datacenter}"
    }

    task "placed" {
      driver = "exec"

      constraint {
        attribute = "${attr.cpu.arch}"
        operator  = "set_contains_any"
        value     = "amd64,arm64"
      }

      config {
        command = "sh"
        args    = ["-c", "echo placed on $NOMAD_ALLOC_INDEX"]
      }
    }
  }
}
