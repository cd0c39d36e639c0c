package nodeapi

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strconv"
	"sync"
	"time"

	"github.com/gorilla/websocket"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/cri-streaming/pkg/streaming/remotecommand"

	"leme/nodeagent/pod"
)

// The fifth version of the remote command protocol over a WebSocket, as kubectl speaks it: each binary message begins
// with the number of its channel, and a message on channel 255 closes the channel that its second byte names. The
// channels are those of version four; being able to close is what standard input needs to end.
//
// Kubernetes has it in kube-apiserver, which translates it for its kubelets.

// upgrader takes any origin: whoever comes here has shown a client certificate.
var upgrader = websocket.Upgrader{
	Subprotocols: []string{remotecommand.StreamProtocolV5Name},
	CheckOrigin:  func(*http.Request) bool { return true },
}

// proposesV5 says whether a client proposes the protocol.
func proposesV5(r *http.Request) bool {
	return websocket.IsWebSocketUpgrade(r) && slices.Contains(websocket.Subprotocols(r), remotecommand.StreamProtocolV5Name)
}

// goodbyeTimeout is for telling the client the end, and for it to close then.
const goodbyeTimeout = 5 * time.Second

func (s *Server) serveV5(w http.ResponseWriter, r *http.Request, o *remotecommand.Options, run session) {
	conn, err := upgrader.Upgrade(w, r, nil)
	if err != nil {
		return // the upgrader has answered
	}
	defer conn.Close()
	c := &channels{conn: conn}
	streams := pod.Streams{TTY: o.TTY}
	if o.Stdin {
		streams.Stdin, c.stdin = io.Pipe()
	}
	if o.Stdout {
		streams.Stdout = c.writer(remotecommand.StreamStdOut)
	}
	if o.Stderr {
		streams.Stderr = c.writer(remotecommand.StreamStdErr)
	}
	if o.TTY {
		c.sizes = make(chan pod.TerminalSize)
		streams.Resize = c.sizes
	}
	reading := make(chan struct{})
	ctx, cancel := context.WithCancel(r.Context())
	defer cancel()
	go func() {
		defer close(reading)
		defer conn.Close() // a write to a client that is gone ends, however long it would wait
		defer cancel()     // and so does the session
		c.read(ctx)
	}()

	err = run(ctx, streams)
	if in, ok := streams.Stdin.(*io.PipeReader); ok {
		in.Close() // what still comes in is thrown away
	}
	cancel()
	c.end(err)
	<-reading
}

// channels is one WebSocket with the channels of a session on it.
type channels struct {
	conn  *websocket.Conn
	stdin *io.PipeWriter        // nil when it is not wanted
	sizes chan pod.TerminalSize // nil without a terminal

	writing sync.Mutex
}

// read takes the client's messages apart until it goes.
func (c *channels) read(ctx context.Context) {
	var failure error
	for failure == nil {
		var message []byte
		if _, message, failure = c.conn.ReadMessage(); failure == nil && len(message) > 0 {
			c.receive(ctx, message[0], message[1:])
		}
	}
	if c.stdin != nil {
		c.stdin.CloseWithError(io.EOF)
	}
}

func (c *channels) receive(ctx context.Context, channel byte, data []byte) {
	switch channel {
	case remotecommand.StreamStdIn:
		if c.stdin != nil && len(data) > 0 {
			c.stdin.Write(data) //nolint:errcheck // fails when the process reads no more, and then nobody wants it
		}
	case remotecommand.StreamResize:
		var size pod.TerminalSize
		if c.sizes == nil || json.Unmarshal(data, &size) != nil {
			return
		}
		select {
		case c.sizes <- size:
		case <-ctx.Done():
		}
	case remotecommand.StreamClose:
		if c.stdin != nil && len(data) == 1 && data[0] == remotecommand.StreamStdIn {
			c.stdin.Close()
		}
	}
}

// writer writes to one channel.
func (c *channels) writer(channel byte) io.Writer {
	return writerFunc(func(p []byte) (int, error) { return len(p), c.send(channel, p) })
}

type writerFunc func(p []byte) (int, error)

func (f writerFunc) Write(p []byte) (int, error) { return f(p) }

func (c *channels) send(channel byte, p []byte) error {
	c.writing.Lock()
	defer c.writing.Unlock()
	w, err := c.conn.NextWriter(websocket.BinaryMessage)
	if err != nil {
		return err
	}
	_, err = w.Write([]byte{channel})
	if err == nil {
		_, err = w.Write(p)
	}
	return errors.Join(err, w.Close())
}

// end tells the client how the session ended, and gives it a moment to close.
func (c *channels) end(outcome error) {
	deadline := time.Now().Add(goodbyeTimeout)
	status, err := json.Marshal(sessionStatus(outcome))
	if err == nil {
		err = c.conn.SetWriteDeadline(deadline)
	}
	if err == nil {
		err = c.send(remotecommand.StreamErr, status)
	}
	if err == nil {
		err = c.conn.WriteControl(websocket.CloseMessage, websocket.FormatCloseMessage(websocket.CloseNormalClosure, ""), deadline)
	}
	if err != nil {
		deadline = time.Now() // nobody is there to say goodbye
	}
	c.conn.SetReadDeadline(deadline) //nolint:errcheck // a closed connection ends the reading too
}

// sessionStatus says how a session ended, as the error channel of the fourth and fifth version tells it.
func sessionStatus(err error) metav1.Status {
	if err == nil {
		return metav1.Status{Status: metav1.StatusSuccess}
	}
	if code, ok := exitCode(err); ok {
		return metav1.Status{
			Status:  metav1.StatusFailure,
			Reason:  remotecommand.NonZeroExitCodeReason,
			Message: fmt.Sprintf("command terminated with non-zero exit code: %v", err),
			Details: &metav1.StatusDetails{Causes: []metav1.StatusCause{{
				Type: remotecommand.ExitCodeCauseType, Message: strconv.Itoa(code),
			}}},
		}
	}
	return metav1.Status{
		Status:  metav1.StatusFailure,
		Reason:  metav1.StatusReasonInternalError,
		Message: "Internal error occurred: " + err.Error(),
		Code:    http.StatusInternalServerError,
	}
}
