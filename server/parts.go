package server

import (
	"context"
	"fmt"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	kjson "sigs.k8s.io/json"

	"leme/server/auth"
	"leme/server/auth/bootstraptoken"
	"leme/server/auth/node"
	"leme/server/auth/rbac"
	"leme/server/auth/signer"
	"leme/server/auth/token"
	"leme/server/controller"
	"leme/server/dashboard"
	"leme/server/flow"
	"leme/server/kind"
	"leme/server/openapi"
	"leme/server/resource"
	"leme/server/rest"
	"leme/server/scheduler"
	"leme/server/store"
	"leme/server/usage"
)

// parts are what works over the store.
type parts struct {
	api      *resource.API
	handler  *rest.Handler
	access   *rbac.Index
	nodes    *node.Graph
	accounts *token.Tokens
	used     *usage.Collector

	authorizer auth.Authorizer
}

func (s *Server) newParts(st *store.Store) (*parts, error) {
	documents := openapi.New(s.kinds)
	access, nodes := rbac.NewIndex(), node.NewGraph()
	authorizer := auth.Any{auth.Superusers, node.Authorizer{Graph: nodes}, access}
	used := usage.New(s.config.MetricResolution, s.metrics)
	var api *resource.API
	nodeNow := func(name string) (*corev1.Node, bool) {
		return resource.For[*corev1.Node](api, kind.Node, "").Get("", name)
	}
	api = resource.New(st, s.kinds, resource.WithMaker(used.Make), resource.WithTypeConverter(documents.TypeConverter), resource.WithServices(s.config.services),
		resource.WithGuards(node.Guard(nodeNow), rbac.CreateGuard(authorizer), access.Guard(authorizer), signer.Guard(authorizer)))
	accounts := token.New(s.accountKeys, api)
	mounts := []rest.Mount{{Prefix: dashboard.Prefix, Handler: dashboard.Handler()}, s.explainMount()}
	mounts = append(mounts, s.config.Mounts...)
	queues, err := flow.New(flow.Config{Seats: s.config.MaxRequests, Metrics: s.metrics})
	if err != nil {
		return nil, err
	}
	handler, err := rest.New(rest.Config{
		API: api, Documents: documents,
		Authenticator: auth.NewAuthenticator(s.tokens, accounts.Authenticate, bootstraptoken.New(api).Authenticate), Authorizer: authorizer, Tokens: accounts,
		Agents: s.pki.ClientTLS(), Version: s.config.Version, Mounts: mounts,
		Flow: queues, Metrics: s.metrics, Shown: shown(s.metrics), Tracer: s.tracer(), Audit: s.audit,
	})
	if err != nil {
		return nil, err
	}
	return &parts{api: api, handler: handler, access: access, nodes: nodes, accounts: accounts, used: used, authorizer: authorizer}, nil
}

// control runs the controllers and the scheduler for as long as this server leads.
func (s *Server) control(ctx context.Context, p *parts) error {
	placing := scheduler.NewMetrics(s.metrics)
	err := controller.Run(ctx, controller.Config{
		API: p.api, CA: s.pki.CA(), Signer: p.accounts.ForSecret, PodCIDR: s.config.PodCIDR, NodeGrace: s.config.NodeMonitorGracePeriod,
		NodeEviction: s.config.NodeEviction,
		Volumes:      p.handler, CertificateAuthority: s.pki, Authorizer: p.authorizer,
		AutoscalePeriod: s.config.AutoscalePeriod, Metrics: s.metrics,
		WhileLeading: []func(context.Context) error{
			func(ctx context.Context) error { return scheduler.Run(ctx, p.api, s.config.Scheduler, placing) },
		},
	})
	if ctx.Err() != nil {
		return nil
	}
	return err
}

// measure asks the agents, on every server, what their nodes use.
func (s *Server) measure(ctx context.Context, p *parts) error {
	nodes := resource.For[*corev1.Node](p.api, kind.Node, "")
	return p.used.Run(ctx, func() []*corev1.Node { return nodes.List("", nil) }, p.handler)
}

// decoder reads what the store holds by the kinds that are served.
func decoder(kinds *kind.Set) store.Decode {
	return func(gr schema.GroupResource, raw []byte) (runtime.Object, error) {
		k := kinds.ByResource(gr)
		if k == nil {
			return nil, fmt.Errorf("no kind is served as %s", gr)
		}
		obj := k.New()
		if err := kjson.UnmarshalCaseSensitivePreserveInts(raw, obj); err != nil {
			return nil, err
		}
		return obj, nil
	}
}
