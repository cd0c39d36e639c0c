package pull

import (
	"fmt"
	"io"
	"net"
	"testing"
	"time"

	"github.com/google/go-containerregistry/pkg/compression"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/moby/moby/client"
)

// BenchmarkPull pulls fresh images with Docker and with the puller in turn, from the same registry, and reports the
// puller's time as a part of Docker's:
//
//	go test ./registry/pull -run '^$' -bench Pull -benchtime 5x
func BenchmarkPull(b *testing.B) {
	for _, c := range []struct {
		name   string
		layers []int // bytes
		rate   int   // bytes a second of one connection; 0 is as fast as it goes
	}{
		{"small", []int{2 << 20}, 0},
		{"one layer", []int{48 << 20}, 0},
		{"eight layers", eight(6 << 20), 0},
		{"one layer, 6 MB/s a connection", []int{24 << 20}, 6_000_000},
		{"eight layers, 6 MB/s a connection", eight(6 << 20), 6_000_000},
	} {
		b.Run(c.name, func(b *testing.B) { benchmarkPull(b, c.layers, c.rate) })
	}
}

func eight(size int) []int {
	return []int{size, size, size, size, size, size, size, size}
}

func benchmarkPull(b *testing.B, sizes []int, rate int) {
	e := engine(b)
	_, host := newFaults(b)
	slow := slowDown(b, host, rate)
	p := startPuller(b, e)
	var docker, ours time.Duration
	for round := range b.N {
		for _, turn := range []struct {
			name  string
			total *time.Duration
			pull  func(ref string) error
		}{
			{"docker", &docker, func(ref string) error {
				stream, err := e.ImagePull(b.Context(), ref, client.ImagePullOptions{})
				if err != nil {
					return err
				}
				return stream.Wait(b.Context())
			}},
			{"ours", &ours, func(ref string) error {
				_, err := p.Pull(b.Context(), ref, nil, nil)
				return err
			}},
		} {
			var layers []v1.Layer
			for _, size := range sizes {
				layers = append(layers, makeLayer(b, size, compression.GZip))
			}
			push(b, e, makeImage(b, e, layers...), "%s/leme-test/bench-%s:%d", host, turn.name, round)
			ref := fmt.Sprintf("%s/leme-test/bench-%s:%d", slow, turn.name, round)
			start := time.Now()
			if err := turn.pull(ref); err != nil {
				b.Fatal(err)
			}
			*turn.total += time.Since(start)
			_, err := e.ImageRemove(b.Context(), ref, client.ImageRemoveOptions{Force: true, PruneChildren: true})
			must(b, err)
		}
	}
	b.ReportMetric(docker.Seconds()/float64(b.N)*1000, "docker-ms/pull")
	b.ReportMetric(ours.Seconds()/float64(b.N)*1000, "leme-ms/pull")
	b.ReportMetric(ours.Seconds()/docker.Seconds(), "leme/docker")
	b.ReportMetric(0, "ns/op")
}

// slowDown serves what host serves with a limit for each connection.
func slowDown(b *testing.B, host string, rate int) string {
	if rate == 0 {
		return host
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	must(b, err)
	b.Cleanup(func() { l.Close() })
	go func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			go relay(conn, host, rate)
		}
	}()
	return l.Addr().String()
}

func relay(conn net.Conn, host string, rate int) {
	defer conn.Close()
	up, err := net.Dial("tcp", host)
	if err != nil {
		return
	}
	defer up.Close()
	go func() {
		_, _ = io.Copy(up, conn)
		up.Close()
	}()
	const slice = 20 * time.Millisecond // what a connection may send is given out in slices
	tick := time.NewTicker(slice)
	defer tick.Stop()
	for range tick.C {
		if _, err := io.CopyN(conn, up, int64(rate)*int64(slice)/int64(time.Second)); err != nil {
			return
		}
	}
}
