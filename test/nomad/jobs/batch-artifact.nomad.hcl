job "report" {
  datacenters = ["dc1"]
  type        = "batch"

  group "report" {
    count = 2

    task "build" {
      driver = "exec"

      artifact {
        source      = "https://artifacts.example.com/report-1.4.tar.gz"
        destination = "local/report"
        options {
          checksum = "sha256:9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"
        }
      }

      config {
        command = "report/build"
        args    = ["--out", "${NOMAD_ALLOC_DIR}/data"]
      }

      resources {
        cpu    = 500
        memory = 128
      }
    }
  }
}
