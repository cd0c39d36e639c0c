package controller

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"os"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	corev1 "k8s.io/api/core/v1"

	"golang.org/x/sync/errgroup"

	"leme/server/auth"
	"leme/server/event"
	"leme/server/kind"
	"leme/server/resource"
	"leme/server/store"
)

// Config is what the controllers need.
type Config struct {
	API *resource.API
	// CA is the cluster's certificate authority, PEM: every namespace gets it in a ConfigMap.
	CA []byte
	// Signer signs the tokens that Secrets ask for.
	Signer Signer
	// PodCIDR is the range that nodes get their /24 of; default 10.42.0.0/16.
	PodCIDR string
	// Identity names this process in the election and in events; default: host name and process id.
	Identity string
	// NodeGrace is how long a node may be silent before it counts as lost; default 40 s.
	NodeGrace time.Duration
	// NodeEviction is how fast pods are driven from lost nodes; nil: DefaultNodeEviction.
	NodeEviction *NodeEviction
	// AutoscalePeriod is how often each autoscaler is looked at; default 15 s.
	AutoscalePeriod time.Duration
	// EventTTL is how long events are kept; default one hour.
	EventTTL time.Duration
	// CertificateAuthority signs the certificates of the cluster's own signers.
	CertificateAuthority CertificateAuthority
	// Authorizer says which certificates nodes get without anybody being asked.
	Authorizer auth.Authorizer
	// Volumes are the directories of volumes on nodes.
	Volumes NodeVolumes
	// Metrics is where the controllers count; nil: nowhere.
	Metrics prometheus.Registerer
	// WhileLeading runs beside the controllers, on the leader alone: the scheduler.
	WhileLeading []func(context.Context) error
}

func (c *Config) validate() (netip.Prefix, error) {
	if c.API == nil || c.Signer == nil {
		return netip.Prefix{}, errors.New("controller: an API and a signer are needed")
	}
	if c.PodCIDR == "" {
		c.PodCIDR = "10.42.0.0/16"
	}
	if c.NodeGrace <= 0 {
		c.NodeGrace = 40 * time.Second
	}
	if c.NodeEviction == nil {
		c.NodeEviction = new(DefaultNodeEviction())
	}
	if err := c.NodeEviction.validate(); err != nil {
		return netip.Prefix{}, err
	}
	if c.AutoscalePeriod <= 0 {
		c.AutoscalePeriod = 15 * time.Second
	}
	if c.EventTTL <= 0 {
		c.EventTTL = time.Hour
	}
	if c.Identity == "" {
		host, err := os.Hostname()
		if err != nil {
			return netip.Prefix{}, fmt.Errorf("naming this server: %w", err)
		}
		c.Identity = fmt.Sprintf("%s-%d", host, os.Getpid())
	}
	prefix, err := netip.ParsePrefix(c.PodCIDR)
	if err != nil || prefix.Bits() > nodeBits || !prefix.Addr().Is4() {
		return netip.Prefix{}, fmt.Errorf("the pods' range %q is not an IPv4 range of at least a /%d", c.PodCIDR, nodeBits)
	}
	return prefix.Masked(), nil
}

// component is a part that runs while this process leads.
type component interface {
	Run(ctx context.Context) error
}

// environment is what the controllers are made from.
type environment struct {
	Config
	api    *resource.API
	pods   netip.Prefix
	events *event.Recorder
	now    func() time.Time

	metrics *metrics // nil: nothing is counted
}

// controllers is all of them, in the order in which an object meets them.
func controllers(e *environment) []component {
	return []component{
		newNamespaces(e),
		newServiceAccounts(e),
		newRootCA(e),
		newTokenSecrets(e),
		newTokenCleaner(e),
		newClusterRoleAggregation(e),
		newResourceQuotas(e),
		newDeployments(e),
		newReplicaSets(e),
		newReplicationControllers(e),
		newStatefulSets(e),
		newDaemonSets(e),
		newJobs(e),
		newJobOrphans(e),
		newJobTTL(e),
		newCronJobs(e),
		newAutoscalers(e),
		newDisruptionBudgets(e),
		newStaleDisruptions(e),
		newServiceCIDRs(e),
		newKubernetesAPI(e),
		newServiceIPs(e),
		newEndpointSlices(e),
		newEndpoints(e),
		newEndpointMirrors(e),
		newNodeCIDRs(e),
		newNodeLifecycle(e),
		newTaintEviction(e),
		newPodGC(e),
		newEphemeralVolumes(e),
		newVolumeClaims(e),
		newVolumePhases(e),
		newLocalPathProvisioner(e),
		newLocalPathReclaim(e),
		newClaimProtection(e),
		newVolumeProtection(e),
		newCertificateApproval(e),
		newCertificateSigning(e),
		newCertificateCleaner(e),
		newGarbageCollector(e),
		newEventTTL(e),
		newResealing(e),
	}
}

// Run campaigns to be the leader and, while it is, runs all controllers and what else only the leader does.
// It returns nil when ctx ends.
func Run(ctx context.Context, c Config) error {
	pods, err := c.validate()
	if err != nil {
		return err
	}
	m := newMetrics(c.Metrics)
	return Lead(ctx, c.API.Store().Client(), c.Identity, func(ctx context.Context) error {
		m.leading.Set(1)
		defer m.leading.Set(0)
		return runAll(ctx, &environment{Config: c, api: c.API, pods: pods, now: time.Now, metrics: m})
	})
}

// runAll starts everything in one group: when one part fails, all stop, and the next leader starts afresh.
func runAll(ctx context.Context, e *environment) error {
	g, ctx := errgroup.WithContext(ctx)
	e.events = event.NewRecorder(resource.For[*corev1.Event](e.api, kind.Event, "system:controller:events"), e.Identity)
	g.Go(func() error { return e.events.Run(ctx) })
	for _, c := range controllers(e) {
		if m, ok := c.(measured); ok && e.metrics != nil {
			m.measure(queueMetrics{e.metrics})
		}
		g.Go(func() error { return c.Run(ctx) })
	}
	for _, run := range e.WhileLeading {
		g.Go(func() error { return run(ctx) })
	}
	return g.Wait()
}

// decoded returns an item's object; ok is false for no item, and for one that cannot be read.
func decoded[T any](item *store.Item) (obj T, ok bool) {
	if item == nil {
		return obj, false
	}
	o, err := item.Object()
	if err != nil {
		return obj, false
	}
	obj, ok = o.(T)
	return obj, ok
}
