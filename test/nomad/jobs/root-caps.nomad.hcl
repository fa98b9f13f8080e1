job "sniff" {
  group "sniff" {
    task "sniff" {
      driver = "exec"
      user   = "root"
      config {
        command  = "/usr/sbin/tcpdump"
        args     = ["-i", "any", "-c", "100"]
        cap_add  = ["net_raw"]
        cap_drop = ["mknod"]
        pid_mode = "host"
        ipc_mode = "host"
      }
    }
  }
}
