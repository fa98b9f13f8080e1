job "ledger" {
  datacenters = ["dc1"]

  group "api" {
    network {
      port "http" {}
    }

    task "ledger" {
      driver = "java"

      artifact {
        source = "https://artifacts.example.com/ledger.jar"
      }

      config {
        jar_path    = "local/ledger.jar"
        jvm_options = ["-Xms64m", "-Xmx256m"]
        args        = ["--port", "${NOMAD_PORT_http}"]
      }

      resources {
        cpu    = 500
        memory = 384
      }
    }
  }
}
