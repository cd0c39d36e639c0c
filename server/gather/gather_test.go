package gather

import (
	"bytes"
	"crypto/tls"
	"errors"
	"io"
	"math/rand/v2"
	"net"
	"os"
	"testing"
	"time"

	"leme/server/auth"
)

// pair is a gathering connection and its client, over a real socket.
func pair(t *testing.T) (c *Conn, client net.Conn) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	client, err = net.Dial("tcp", l.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	accepted, err := Listener(l).Accept()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { client.Close(); accepted.Close() })
	return accepted.(*Conn), client
}

// TestGatheredWhole writes pieces of all sizes over TLS and closes at once: all arrive, in order, and then the end.
func TestGatheredWhole(t *testing.T) {
	pki, err := auth.OpenPKI(t.TempDir(), []string{"127.0.0.1"})
	if err != nil {
		t.Fatal(err)
	}
	c, raw := pair(t)
	client := tls.Client(raw, &tls.Config{InsecureSkipVerify: true})
	server := tls.Server(c, pki.ServerTLS())
	var sent bytes.Buffer
	go func() {
		random := rand.New(rand.NewPCG(1, 2))
		for range 2000 {
			piece := make([]byte, random.IntN(40<<10)>>random.IntN(14))
			for i := range piece {
				piece[i] = byte(random.Uint32())
			}
			sent.Write(piece)
			if _, err := server.Write(piece); err != nil {
				t.Error(err)
				break
			}
		}
		server.Close()
	}()
	got, err := io.ReadAll(client) // an end without TLS's own would be an error
	if err != nil || !bytes.Equal(got, sent.Bytes()) {
		t.Errorf("%d of %d bytes arrived, %v", len(got), sent.Len(), err)
	}
}

// TestGatheringIsBounded has a client that does not read: whoever writes waits, until a deadline or the end.
func TestGatheringIsBounded(t *testing.T) {
	fill := func(c net.Conn) error {
		for piece := make([]byte, 16<<10); ; {
			if _, err := c.Write(piece); err != nil {
				return err
			}
		}
	}
	t.Run("deadline", func(t *testing.T) {
		c, _ := pair(t)
		if err := c.SetDeadline(time.Now().Add(100 * time.Millisecond)); err != nil {
			t.Fatal(err)
		}
		if err := fill(c); !errors.Is(err, os.ErrDeadlineExceeded) {
			t.Errorf("writing ended with %v", err)
		}
		if len(c.pending) > most+16<<10 {
			t.Errorf("%d bytes wait", len(c.pending))
		}
	})
	t.Run("deadline that has passed", func(t *testing.T) {
		c, _ := pair(t)
		ended := make(chan error, 1)
		go func() { ended <- fill(c) }()
		if err := c.SetWriteDeadline(time.Now()); err != nil {
			t.Fatal(err)
		}
		if err := <-ended; !errors.Is(err, os.ErrDeadlineExceeded) {
			t.Errorf("writing ended with %v", err)
		}
	})
	t.Run("close", func(t *testing.T) {
		c, _ := pair(t)
		ended := make(chan error, 1)
		go func() { ended <- fill(c) }()
		c.Close()
		if err := <-ended; !errors.Is(err, net.ErrClosed) {
			t.Errorf("writing ended with %v", err)
		}
	})
}

// TestHold: what was kept goes out in order, and nobody waits for a client that does not read, until it does.
func TestHold(t *testing.T) {
	c, client := pair(t)
	var sent bytes.Buffer
	random := rand.New(rand.NewPCG(3, 4))
	full := false
	for !full {
		if !c.Hold() {
			t.Fatal("nothing waits, and it cannot hold")
		}
		for range 3 {
			piece := bytes.Repeat([]byte{byte(sent.Len())}, random.IntN(40<<10))
			sent.Write(piece)
			if _, err := c.Write(piece); err != nil {
				t.Fatal(err)
			}
		}
		if err := c.Release(time.Minute); err != nil {
			t.Fatal(err)
		}
		c.mu.Lock()
		full = c.due || c.writing
		c.mu.Unlock()
	}
	if c.Hold() {
		t.Error("it holds while the client has to read first")
	}
	got := make([]byte, sent.Len())
	if _, err := io.ReadFull(client, got); err != nil || !bytes.Equal(got, sent.Bytes()) {
		t.Errorf("others bytes arrived, %v", err)
	}
}

// TestHoldIsBounded: a client that takes too long loses its connection.
func TestHoldIsBounded(t *testing.T) {
	c, _ := pair(t)
	piece := make([]byte, most)
	for c.Hold() {
		if _, err := c.Write(piece); err != nil {
			t.Fatal(err)
		}
		if err := c.Release(50 * time.Millisecond); err != nil {
			t.Fatal(err)
		}
	}
	for {
		if _, err := c.Write(piece); err != nil {
			if !errors.Is(err, os.ErrDeadlineExceeded) {
				t.Errorf("writing ended with %v", err)
			}
			break
		}
	}
	if c.Hold() {
		t.Error("it holds after its end")
	}
}
