job "docs-jar" {
  type = "batch"
  group "docs" {
    task "web" {
      driver = "java"
      config {
        jar_path    = "local/hello.jar"
        jvm_options = ["-Xmx2048m", "-Xms16m"]
      }
      artifact {
        source = "https://files.example.com/hello.jar"
        options {
          checksum = "md5:123445555555555"
        }
      }
      resources {
        cpu    = 500
        memory = 256
      }
    }
  }
}
