job "import" {
  type = "batch"
  group "import" {
    task "import" {
      driver = "exec"
      config {
        command = "sh"
        args    = ["-c", "echo imported"]
      }
      resources {
        cpu        = 300
        memory     = 64
        memory_max = 256
      }
    }
  }
}
