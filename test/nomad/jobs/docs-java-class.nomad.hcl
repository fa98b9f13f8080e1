job "docs-class" {
  type = "batch"
  group "docs" {
    task "class" {
      driver = "java"
      config {
        class      = "Hello"
        class_path = "${NOMAD_TASK_DIR}"
        args       = ["from", "a", "class"]
      }
      artifact {
        source = "https://files.example.com/Hello.class"
      }
      resources {
        cpu    = 500
        memory = 256
      }
    }
  }
}
