package pull

import (
	"fmt"
	"io"
	"net"
	"slices"
	"testing"
	"time"

	"github.com/google/go-containerregistry/pkg/compression"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/moby/moby/client"
)

// BenchmarkPull pulls fresh images with Docker and with the puller in turn, from the same registry, and reports the
// median of each:
//
//	go test ./registry/pull -run '^$' -bench Pull -benchtime 1x
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

// turns is how often each of the two pulls an image, one after the other.
const turns = 5

func benchmarkPull(b *testing.B, sizes []int, rate int) {
	e := engine(b)
	_, host := newFaults(b)
	slow := slowDown(b, host, rate)
	p := startPuller(b, e)
	ours := func(ref string) error {
		_, err := p.Pull(b.Context(), ref, nil, nil)
		return err
	}
	docker := func(ref string) error {
		stream, err := e.ImagePull(b.Context(), ref, client.ImagePullOptions{})
		if err != nil {
			return err
		}
		return stream.Wait(b.Context())
	}
	// fresh times the pull of an image that nobody has seen.
	fresh := func(name string, pull func(ref string) error) time.Duration {
		var layers []v1.Layer
		for _, size := range sizes {
			layers = append(layers, makeLayer(b, size, compression.GZip))
		}
		push(b, e, makeImage(b, e, layers...), "%s/leme-test/%s", host, name)
		ref := fmt.Sprintf("%s/leme-test/%s", slow, name)
		start := time.Now()
		must(b, pull(ref))
		took := time.Since(start)
		forget(e, ref)
		return took
	}
	for b.Loop() {
		var theirTimes, ourTimes []time.Duration
		for turn := range turns {
			theirTimes = append(theirTimes, fresh(fmt.Sprintf("bench-docker:%d", turn), docker))
			ourTimes = append(ourTimes, fresh(fmt.Sprintf("bench-leme:%d", turn), ours))
		}
		b.ReportMetric(median(ourTimes).Seconds()*1000, "ms")
		b.ReportMetric(median(theirTimes).Seconds()*1000, "reference-ms")
	}
	b.ReportMetric(0, "ns/op")
}

func median(all []time.Duration) time.Duration {
	slices.Sort(all)
	return all[len(all)/2]
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
