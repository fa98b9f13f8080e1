job "maintain" {
  type = "sysbatch"
  group "maintain" {
    task "maintain" {
      driver = "raw_exec"
      config {
        command            = "/bin/sh"
        args               = ["-c", "apt-get update && apt-get -y upgrade"]
        cgroup_v2_override = "maintain.slice"
        oom_score_adj      = 100
      }
    }
  }
}
