package main

import (
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"time"
)

// serve answers in the background: / greets, and /file/PATH is found while that file exists, for probes.
func serve(args []string) error {
	listener, err := net.Listen("tcp", args[0])
	if err != nil {
		return err
	}
	mux := http.NewServeMux()
	mux.HandleFunc("/", func(w http.ResponseWriter, _ *http.Request) {
		host, _ := os.Hostname()
		fmt.Fprintln(w, "hello from", host)
	})
	mux.HandleFunc("/file/{path...}", func(w http.ResponseWriter, r *http.Request) {
		if _, err := os.Stat("/" + r.PathValue("path")); err != nil {
			http.Error(w, err.Error(), http.StatusServiceUnavailable)
		}
	})
	go func() { fail(http.Serve(listener, mux)) }()
	return nil
}

// get prints what an address answers.
func get(args []string) error {
	answer, err := (&http.Client{Timeout: 5 * time.Second}).Get(args[0])
	if err != nil {
		return err
	}
	defer answer.Body.Close()
	_, err = io.Copy(os.Stdout, answer.Body)
	return err
}
