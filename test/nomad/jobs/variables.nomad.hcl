variable "release" {
  type    = string
  default = "2024.1"
}

variable "command" {
  type = string
}

variables {
  ports = ["http", "metrics"]
}

locals {
  runner = "exec"
  name   = "app-${var.release}"
}

job "app" {
  group "release" {
    network {
      dynamic "port" {
        for_each = var.ports
        labels   = [port.value]
        content {}
      }
    }

    task "app" {
      driver = local.runner
      config {
        command = var.command
        args = [
          "--name", local.name,
          "--upper", upper(var.release),
          "--debug", var.release == "dev" ? "yes" : "no",
        ]
      }
      env = {
        RELEASE = "${var.release}"
      }
    }
  }
}
