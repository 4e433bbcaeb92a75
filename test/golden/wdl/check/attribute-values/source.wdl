version 1.2
task modern {
  input { Int gib = 2 }
  command <<< >>>
  requirements {
    memory: "lots"
    disks: "/mnt/memoir 10 GiB"
    return_codes: "all"
    container: "ubuntu:24.04"
    cpu: 1.5
  }
}
task old {
  input { String size = "much" }
  command <<< >>>
  runtime {
    memory: "4 GiB"
    cpu: "two"
    disks: "local-disk many SSD"
    returnCodes: "*"
    maxRetries: "~{size}"
    anything: "goes"
  }
}
