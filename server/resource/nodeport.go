package resource

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"

	"leme/server/allocate"
	"leme/server/kind"
	"leme/server/store"
)

// nodePorts is where node ports are claimed, by their number. It is no resource of the API.
var nodePorts = schema.GroupResource{Resource: "servicenodeports"}

var rangeAllocation = corev1.SchemeGroupVersion.WithKind("RangeAllocation")

func nodePortKey(port int32) store.Key {
	return store.Key{GroupResource: nodePorts, Name: strconv.Itoa(int(port))}
}

// claimPort makes the allocation that says whose a node port is.
func claimPort(port int32, s *corev1.Service) (store.Op, error) {
	key := nodePortKey(port)
	owner := metav1.OwnerReference{APIVersion: "v1", Kind: kind.Service.Kind, Name: s.Name, UID: s.UID}
	stored, err := store.Encode(&corev1.RangeAllocation{
		ObjectMeta: metav1.ObjectMeta{Name: key.Name, Namespace: s.Namespace, OwnerReferences: []metav1.OwnerReference{owner}},
		Range:      key.Name,
	}, rangeAllocation)
	if err != nil {
		return store.Op{}, fmt.Errorf("claiming node port %d: %w", port, err)
	}
	return store.Op{Key: key, Value: stored}, nil
}

// portClaimant is the service whose a node port is.
func portClaimant(it *store.Item) types.UID {
	var claim metav1.PartialObjectMetadata
	if err := json.Unmarshal(it.JSON, &claim); err != nil || len(claim.OwnerReferences) != 1 {
		return ""
	}
	return claim.OwnerReferences[0].UID
}

// RepairNodePorts claims the node ports of services where that is missing, and gives up claims that no service has. Both
// happens only when somebody has changed etcd by other ways than this API.
func (a *API) RepairNodePorts(ctx context.Context) error {
	claims, services := a.store.Snapshot(nodePorts), a.store.Snapshot(kind.Service.GroupResource())
	wanted := map[string]*corev1.Service{}
	services.Ascend("", "", "", func(it *store.Item) bool {
		if s, err := typed[*corev1.Service](it, nil); err == nil {
			for _, port := range allocate.ClaimedPorts(s) {
				wanted[nodePortKey(port).Name] = s
			}
		}
		return true
	})
	var ops []store.Op
	claims.Ascend("", "", "", func(it *store.Item) bool {
		if s := wanted[it.Key.Name]; s == nil || s.UID != portClaimant(it) {
			ops = append(ops, store.Op{Key: it.Key, Expect: it.Revision})
		}
		return true
	})
	for name, s := range wanted {
		port, err := strconv.ParseInt(name, 10, 32)
		if err != nil || claims.Get("", name) != nil {
			continue
		}
		op, err := claimPort(int32(port), s)
		if err != nil {
			return err
		}
		ops = append(ops, op)
	}
	return a.repair(ctx, ops)
}

// repair makes each write by itself. What somebody else has written meanwhile is right, or is looked at the next time.
func (a *API) repair(ctx context.Context, ops []store.Op) error {
	for _, op := range ops {
		_, err := a.store.Commit(ctx, op)
		var lost *store.ConflictError
		if err != nil && !errors.As(err, &lost) {
			return fmt.Errorf("repairing the claim of %s: %w", op.Key, err)
		}
	}
	return nil
}
