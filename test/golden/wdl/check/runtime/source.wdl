version 1.0
task t {
  input { Int? mem }
  command {}
  runtime {
    docker: false
    memory: mem + " GB"
    cpu: "2"
    preemptible: 3
    docker: "ubuntu"
  }
}
