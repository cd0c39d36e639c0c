// Package openapi describes the kinds that a server speaks as OpenAPI v2 and v3 documents, which kubectl reads to
// explain fields, to check what it is about to send, and to merge; and as the typed schema that server-side apply
// works with. Nothing is written by hand or kept as a file: descriptions, types and merge keys are read by reflection
// from the Go types, and what Go cannot express (list keys, required fields, defaults, enumerations) from a table
// that `go generate` extracts from the comment markers in the sources of those types.
//
//	docs := openapi.New(kinds)
//	json, protobuf, err := docs.V2()
package openapi
