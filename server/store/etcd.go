package store

import (
	"context"
	"fmt"
	"net/url"
	"os"
	"time"

	"go.etcd.io/etcd/client/pkg/v3/transport"
	clientv3 "go.etcd.io/etcd/client/v3"
	"go.etcd.io/etcd/server/v3/embed"
	"go.etcd.io/etcd/server/v3/etcdserver/api/v3client"
	"go.uber.org/zap"
)

const (
	startTimeout = time.Minute
	dialTimeout  = 5 * time.Second
	quota        = 8 << 30 // bytes: the most that etcd recommends
	maxRequest   = 4 << 20 // bytes: objects are at most 3 MiB
)

// etcd is an etcd of our own, or the way to another's.
type etcd struct {
	embedded *embed.Etcd // nil for an existing one
	client   *clientv3.Client
	logLevel zap.AtomicLevel
}

func openEtcd(c Config) (*etcd, error) {
	if len(c.Endpoints) > 0 {
		client, err := connect(c)
		return &etcd{client: client}, err
	}
	level := zap.NewAtomicLevelAt(zap.ErrorLevel)
	embedded, err := startEmbedded(c, level)
	if err != nil {
		return nil, fmt.Errorf("starting etcd in %s: %w", c.DataDir, err)
	}
	// Requests to our own etcd stay in the process: no socket, no encoding.
	return &etcd{embedded: embedded, client: v3client.New(embedded.Server), logLevel: level}, nil
}

func connect(c Config) (*clientv3.Client, error) {
	config := clientv3.Config{
		Endpoints: c.Endpoints, DialTimeout: dialTimeout, Logger: zap.NewNop(),
		DialKeepAliveTime: 10 * time.Second, DialKeepAliveTimeout: dialTimeout,
		MaxCallSendMsgSize: maxRequest, PermitWithoutStream: true,
	}
	if c.CA != "" || c.Cert != "" {
		tls, err := transport.TLSInfo{TrustedCAFile: c.CA, CertFile: c.Cert, KeyFile: c.Key}.ClientConfig()
		if err != nil {
			return nil, fmt.Errorf("reading etcd's certificates: %w", err)
		}
		config.TLS = tls
	}
	client, err := clientv3.New(config)
	if err != nil {
		return nil, fmt.Errorf("connecting to etcd at %v: %w", c.Endpoints, err)
	}
	ctx, cancel := context.WithTimeout(context.Background(), dialTimeout)
	defer cancel()
	if _, err := client.Get(ctx, Prefix, clientv3.WithLimit(1), clientv3.WithKeysOnly()); err != nil {
		client.Close()
		return nil, fmt.Errorf("etcd at %v does not answer: %w", c.Endpoints, err)
	}
	return client, nil
}

// startEmbedded runs a single member that listens on a socket in its own directory, which only its owner can reach.
func startEmbedded(c Config, level zap.AtomicLevel) (*embed.Etcd, error) {
	if err := os.MkdirAll(c.DataDir, 0o700); err != nil {
		return nil, err
	}
	if err := setAsideUnfinished(c.DataDir); err != nil {
		return nil, err
	}
	config := embed.NewConfig()
	config.Dir = c.DataDir
	config.Name = "leme"
	config.ListenClientUrls = []url.URL{socket(c.DataDir, "client")}
	config.AdvertiseClientUrls = config.ListenClientUrls
	config.ListenPeerUrls = []url.URL{socket(c.DataDir, "peer")}
	config.AdvertisePeerUrls = config.ListenPeerUrls
	config.InitialCluster = config.InitialClusterFromName(config.Name)
	config.QuotaBackendBytes = quota
	config.MaxRequestBytes = maxRequest
	config.AutoCompactionMode = embed.CompactorModePeriodic
	config.AutoCompactionRetention = c.History.String()
	config.UnsafeNoFsync = c.NoSync
	config.TickMs, config.ElectionMs = 50, 500 // one member: there is nobody to wait for
	// The last entries of the log stay in memory for members that lag behind: here there are none.
	config.SnapshotCount, config.SnapshotCatchUpEntries = 1000, 100
	logger, err := logger(level)
	if err != nil {
		return nil, err
	}
	config.ZapLoggerBuilder = embed.NewZapLoggerBuilder(logger)

	e, err := embed.StartEtcd(config)
	if err != nil {
		return nil, err
	}
	select {
	case <-e.Server.ReadyNotify():
		if err := markStarted(c.DataDir); err != nil {
			e.Close()
			return nil, err
		}
		return e, nil
	case err := <-e.Err():
		e.Close()
		return nil, err
	case <-time.After(startTimeout):
		e.Close()
		return nil, fmt.Errorf("not ready after %s", startTimeout)
	}
}

func socket(dir, name string) url.URL {
	return url.URL{Scheme: "unix", Path: dir + "/" + name + ".sock"}
}

// logger lets through what an operator must see.
func logger(level zap.AtomicLevel) (*zap.Logger, error) {
	config := zap.NewProductionConfig()
	config.Level = level
	config.Encoding = "console"
	config.DisableStacktrace = true
	config.Sampling = nil // its counters are for floods of messages: half a megabyte, where errors alone are written
	return config.Build()
}

// wait blocks until ctx ends or the embedded etcd fails.
func (e *etcd) wait(ctx context.Context) error {
	if e.embedded == nil {
		<-ctx.Done()
		return nil
	}
	select {
	case <-ctx.Done():
		return nil
	case err := <-e.embedded.Err():
		return fmt.Errorf("etcd: %w", err)
	case <-e.embedded.Server.StopNotify():
		return fmt.Errorf("etcd stopped by itself")
	}
}

func (e *etcd) close() {
	e.client.Close()
	if e.embedded != nil {
		e.logLevel.SetLevel(zap.FatalLevel) // it reports its own closed sockets as errors
		e.embedded.Close()
	}
}
