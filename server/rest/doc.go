// Package rest serves the verbs of server/resource over HTTP, in Kubernetes' wire forms.
//
// A request passes the steps that handler.go lists (recover, log, authenticate, parse, authorize, limit), is
// routed by its path and ends in one file named after its verb. Reads write stored bytes: a list in JSON is spliced
// together from the items' own JSON, tables and protobuf from what is kept with each item; nothing is encoded by
// reflection for a request.
//
//	handler, err := rest.New(rest.Config{API: api, …})
//	server := http.Server{Handler: handler}
//	defer handler.Close() // ends the watches
package rest
