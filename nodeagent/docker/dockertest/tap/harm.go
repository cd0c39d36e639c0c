package tap

import (
	"context"
	"io"
	"log"
	"net/http"
	"time"
)

// quiet: that lines are cut is the point.
var quiet = log.New(io.Discard, "", 0)

type harmKey struct{}

// ServeHTTP passes a call on, with its harm.
func (t *Tap) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	harm := t.next(r)
	switch {
	case harm.Before != nil:
		harm.Before()
		panic(http.ErrAbortHandler)
	case harm.Refuse:
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(http.StatusInternalServerError)
		_, _ = io.WriteString(w, `{"message":"`+Refusal+`"}`) // who asked may be gone
		return
	case harm.Late > 0:
		select {
		case <-time.After(harm.Late):
		case <-r.Context().Done():
		}
	}
	t.proxy.ServeHTTP(w, r.WithContext(context.WithValue(r.Context(), harmKey{}, harm)))
}

// Refusal is what the engine says when it refuses.
const Refusal = "the engine is out of sorts"

// answered is called when the engine has answered, and before who asked hears of it.
func answered(r *http.Response) error {
	harm, _ := r.Request.Context().Value(harmKey{}).(Harm)
	switch {
	case harm.After != nil:
		harm.After()
		r.Body.Close()
		panic(http.ErrAbortHandler)
	case harm.Cut && (r.ContentLength == 0 || r.StatusCode == http.StatusSwitchingProtocols):
		r.Body.Close()
		panic(http.ErrAbortHandler)
	case harm.Cut:
		r.Body = &cut{r.Body}
	}
	return nil
}

// cut is a body that breaks off in the middle of what comes first.
type cut struct{ io.ReadCloser }

func (c *cut) Read(p []byte) (int, error) {
	n, err := c.ReadCloser.Read(p)
	if err != nil && err != io.EOF {
		return n, err
	}
	return n / 2, io.ErrUnexpectedEOF
}
