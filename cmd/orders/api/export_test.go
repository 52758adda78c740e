package api

// Routes are the method, path and operation of each route.
func Routes() (all []string) {
	for _, r := range (&API{}).routes() {
		all = append(all, r.method+" "+r.path+" "+r.id)
	}
	return all
}
