job "transcode" {
  type = "batch"
  parameterized {
    payload       = "required"
    meta_required = ["profile"]
    meta_optional = ["priority"]
  }
  group "transcode" {
    task "transcode" {
      driver = "exec"
      dispatch_payload {
        file = "input.json"
      }
      config {
        command = "sh"
        args    = ["-c", "cat /local/input.json; echo as ${NOMAD_META_profile}"]
      }
    }
  }
}
