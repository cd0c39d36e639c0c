// Package everykind asks every kind that the server serves for every verb it serves it with, as clients do: with
// client-go over TLS, in JSON, YAML, protobuf, tables and metadata.
//
// What there is to ask comes from the server's own discovery, so a new kind is covered as soon as it has a file in
// testdata, named by its resource, version and group ("deployments.v1.apps.yaml"); without one the test fails. The
// file has an object that the server accepts, and what else the kind needs; see example in example_test.go.
package everykind
