// Package h2 serves HTTP/2 (RFC 9113) for a net/http server, which keeps HTTP/1.1 and TLS to itself.
//
//	h2.Configure(s) // s is an *http.Server; then s.Serve as ever
//
// It is there for watches: one event goes to many streams of one connection at the same time. net/http takes each of
// their frames through several goroutines and writes it alone. Here a handler puts its frames into the connection's
// buffer itself, and whoever writes the buffer takes all that has gathered meanwhile:
//
//	handler ─ response ─┐
//	handler ─ response ─┼→ queue: a frame of each in turn, as windows and room allow → out ─→ flush → TLS
//	reader ── acks, … ──┘
//
// A handler that has only to pass on what many streams wait for leaves even that to its connection (Push). When something
// is published on their Topic, a goroutine for each processor goes round the connections, asks the sources of their streams
// for frames, and writes without waiting for any client.
//
// A connection is one goroutine that reads, one for each request, and one that writes while there is something to write.
// All state is under the connection's one mutex, which nobody holds while reading or writing.
//
// Framing and header compression are golang.org/x/net/http2's. Pushes and priorities, which the RFC leaves to servers, it
// does without.
package h2
