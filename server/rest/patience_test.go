package rest

import (
	"crypto/tls"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"
)

// TestWatchOfWhoDoesNotRead: it ends, or it would keep every later event in memory.
func TestWatchOfWhoDoesNotRead(t *testing.T) {
	b := newBed(t, &tls.Config{})
	b.watchTime = 100 * time.Millisecond
	for i := range 12 {
		body := fmt.Sprintf(`{"metadata":{"name":"c%d"},"data":{"a":"%s"}}`, i, strings.Repeat("x", 900_000))
		if code, _, answer := b.do(t, "POST /api/v1/namespaces/default/configmaps", body); code != http.StatusCreated {
			t.Fatal(code, answer)
		}
	}
	conn, err := net.Dial("tcp", strings.TrimPrefix(b.url, "http://"))
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	if err := conn.(*net.TCPConn).SetReadBuffer(4096); err != nil {
		t.Fatal(err)
	}
	if _, err := io.WriteString(conn, "GET /api/v1/configmaps?watch=1 HTTP/1.1\r\nHost: leme\r\nX-User: admin\r\nX-Group: system:masters\r\n\r\n"); err != nil {
		t.Fatal(err)
	}
	const ended = `apiserver_request_total{code="200",component="apiserver",dry_run="",group="",resource="configmaps",scope="cluster",subresource="",verb="WATCH",version="v1"} 1`
	poll := time.NewTicker(10 * time.Millisecond)
	defer poll.Stop()
	for deadline := time.Now().Add(20 * time.Second); ; <-poll.C {
		_, _, metrics := b.do(t, "GET /metrics", "")
		if strings.Contains(metrics, ended) {
			return
		}
		if time.Now().After(deadline) {
			t.Fatal("the watch goes on")
		}
	}
}
