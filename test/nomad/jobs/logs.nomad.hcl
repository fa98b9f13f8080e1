job "chatty" {
  type = "batch"
  group "chatty" {
    ephemeral_disk {
      size = 300
    }
    task "chatty" {
      driver = "exec"
      logs {
        max_files     = 5
        max_file_size = 15
      }
      config {
        command = "seq"
        args    = ["1", "100"]
      }
    }
  }
}
