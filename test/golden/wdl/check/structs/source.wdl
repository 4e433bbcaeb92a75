version 1.1
struct Person {
  String name
  Int? age
  Array[String]+ tags
}
workflow w {
  Person a = Person { name: "Ada", tags: ["x"] }
  Person b = Person { name: "Ada" }
  Person c = Person { name: 3, tags: [], job: "x" }
  Person d = {"name": "Ada", "tags": ["x"], "age": 36}
  Person e = object { name: "Ada", tags: ["x"] }
  Person f = Prson { name: "Ada", tags: ["x"] }
  String g = a.nme
  Int h = a.age
  Map[String, Person] i = {"a": a}
  String j = i["a"].name
}
