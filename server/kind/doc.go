// Package kind declares the resource kinds a Leme server speaks: what each is called, what Kubernetes fills in for
// what users leave out, what it refuses and in which words, which fields can be selected on, and how a row of it is
// printed. One file holds one kind; kinds.go lists them. Everything that serves objects (verbs, HTTP, discovery,
// OpenAPI, tables, completion) derives from these declarations, so that a new kind is one new file and one new line:
//
//	var ConfigMap = &Kind{
//		GroupVersionKind: core("ConfigMap"),
//		Resource:         "configmaps",
//		Validate:         validates(validateConfigMap),
//		…
//	}
//
// Behaviour follows Kubernetes v1.37.
package kind
