job "docs-binary" {
  type = "batch"
  group "docs" {
    task "downloaded" {
      driver = "exec"
      config {
        command = "own-binary"
      }
      artifact {
        source = "https://files.example.com/own-binary"
        options {
          checksum = "sha256:9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"
        }
      }
    }
  }
}
