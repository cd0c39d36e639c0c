package scheduler

import (
	"maps"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/types"
)

// cluster is what is on every node, kept up to date one change at a time. It is not safe for concurrent use.
type cluster struct {
	byName    map[string]*nodeInfo // also of nodes that are not there, or not yet, but whose pods are
	nodes     []*nodeInfo          // those that are there, by name
	slots     int                  // numbers that nodes have
	freeSlots []int                // of these, those that none has any more
	pods      map[types.UID]*placed
	// What rules about pods ask for: the placed pods in classes, what is counted of them, and the terms that they have.
	classes          map[string]*class
	tallies          map[string]*tally
	groups           map[groupKey]*group
	generation       uint64 // of the groups, and of the labels of namespaces
	decisions        uint64 // so many have been made
	belong           map[belonging]labels.Selector
	belongGeneration uint64
	imageNodes       map[string]int64 // on how many nodes an image is
	priorities       map[int32]int    // how many placed pods have each
	// nominations are the nodes of pods for which others have to go.
	nominations map[types.UID]*nodeInfo
	// namespaceLabels gives the labels that a rule's namespaceSelector is about.
	namespaceLabels func(namespace string) map[string]string
	storage         Storage
	workloads       Workloads
	claims          map[string]int // how many placed pods have a claim, by its namespace and name
	start           int            // where the last search for a node ended
	scratch         scratch
}

// placed is a pod on its node.
type placed struct {
	info *podInfo
	node *nodeInfo
}

func newCluster(namespaceLabels func(string) map[string]string) *cluster {
	return &cluster{
		byName:          make(map[string]*nodeInfo),
		pods:            make(map[types.UID]*placed),
		classes:         make(map[string]*class),
		tallies:         make(map[string]*tally),
		groups:          make(map[groupKey]*group),
		generation:      1,
		belong:          make(map[belonging]labels.Selector),
		claims:          make(map[string]int),
		workloads:       unemployed{},
		imageNodes:      make(map[string]int64),
		priorities:      make(map[int32]int),
		nominations:     make(map[types.UID]*nodeInfo),
		namespaceLabels: namespaceLabels,
		storage:         nothing{},
	}
}

// setNode takes a node's state; matters tells whether pods that fitted nowhere may fit now.
func (c *cluster) setNode(node *corev1.Node) (matters bool) {
	n := c.node(node.Name)
	old := n.node
	if old == nil {
		i, _ := c.find(node.Name)
		c.nodes = slices.Insert(c.nodes, i, n)
	}
	moves := old == nil || !maps.Equal(old.Labels, node.Labels) || !sameTaints(old.Spec.Taints, node.Spec.Taints)
	if moves && old != nil {
		c.eachTally(func(t *tally) { t.part(n, old.Labels[t.key]) })
	}
	images := n.images
	matters = n.set(node)
	if !maps.Equal(images, n.images) {
		c.countImages(images, -1)
		c.countImages(n.images, 1)
	}
	if moves {
		c.eachTally(func(t *tally) {
			t.spot(n)
			t.join(n)
		})
	}
	return matters
}

// eachTally calls fn for all that is counted by domains of nodes.
func (c *cluster) eachTally(fn func(*tally)) {
	for _, t := range c.tallies {
		fn(t)
	}
	for _, g := range c.groups {
		fn(g.domains)
	}
}

func (c *cluster) countImages(images map[string]int64, times int64) {
	for name := range images {
		if c.imageNodes[name] += times; c.imageNodes[name] == 0 {
			delete(c.imageNodes, name)
		}
	}
}

// removeNode forgets a node; its pods are remembered as long as they are there.
func (c *cluster) removeNode(name string) {
	n, ok := c.byName[name]
	if !ok || n.node == nil {
		return
	}
	c.countImages(n.images, -1)
	c.eachTally(func(t *tally) { t.part(n, n.node.Labels[t.key]) })
	n.node, n.images = nil, nil
	i, _ := c.find(name)
	c.nodes = slices.Delete(c.nodes, i, i+1)
	c.drop(n)
}

// node returns what is known of a name, making a place for it.
func (c *cluster) node(name string) *nodeInfo {
	n, ok := c.byName[name]
	if !ok {
		n = newNodeInfo(name, c.slot())
		c.byName[name] = n
	}
	return n
}

func (c *cluster) find(name string) (int, bool) {
	return slices.BinarySearchFunc(c.nodes, name, func(n *nodeInfo, name string) int { return strings.Compare(n.name, name) })
}

// drop forgets a name of which nothing is left.
func (c *cluster) drop(n *nodeInfo) {
	if n.node == nil && len(n.pods) == 0 && len(n.nominated) == 0 {
		delete(c.byName, n.name)
		c.freeSlots = append(c.freeSlots, n.slot)
	}
}

// slot is a number that no other node has.
func (c *cluster) slot() int {
	if last := len(c.freeSlots) - 1; last >= 0 {
		slot := c.freeSlots[last]
		c.freeSlots = c.freeSlots[:last]
		return slot
	}
	c.slots++
	return c.slots - 1
}

// place counts a pod on a node, in the place of what was known of it.
func (c *cluster) place(p *podInfo, node string) {
	if old, ok := c.pods[p.uid]; ok {
		if old.node.name == node && sameForScheduling(old.info.pod, p.pod) {
			old.info.pod = p.pod
			return
		}
		c.removePod(p.uid)
	}
	n := c.node(node)
	n.put(p)
	at := &placed{info: p, node: n}
	c.pods[p.uid] = at
	c.priorities[p.priority]++
	c.enter(p, n)
	c.countClaims(p.pod, 1)
}

// removePod frees what a pod took; known tells whether it was on a node.
func (c *cluster) removePod(uid types.UID) (known bool) {
	at, ok := c.pods[uid]
	if !ok {
		return false
	}
	at.node.take(uid)
	c.leave(at.info, at.node)
	c.countClaims(at.info.pod, -1)
	c.drop(at.node)
	delete(c.pods, uid)
	if c.priorities[at.info.priority]--; c.priorities[at.info.priority] == 0 {
		delete(c.priorities, at.info.priority)
	}
	return true
}

// anyBelow tells whether any placed pod has a lower priority.
func (c *cluster) anyBelow(priority int32) bool {
	for p := range c.priorities {
		if p < priority {
			return true
		}
	}
	return false
}

// sameForScheduling tells that two states of a pod differ in nothing that is decided by. The generation rises
// with every change of the spec; what a running pod uses may change in its status.
func sameForScheduling(a, b *corev1.Pod) bool {
	return a.Generation == b.Generation && maps.Equal(a.Labels, b.Labels) &&
		(a.DeletionTimestamp == nil) == (b.DeletionTimestamp == nil) && sameResources(a, b)
}

// sameResources compares what resizing a running pod in place reports.
func sameResources(a, b *corev1.Pod) bool {
	return slices.EqualFunc(a.Status.ContainerStatuses, b.Status.ContainerStatuses, func(a, b corev1.ContainerStatus) bool {
		return amountsOf(a.AllocatedResources).equal(amountsOf(b.AllocatedResources)) && requested(a.Resources).equal(requested(b.Resources))
	})
}

func requested(r *corev1.ResourceRequirements) amounts {
	if r == nil {
		return amounts{}
	}
	return amountsOf(r.Requests)
}
