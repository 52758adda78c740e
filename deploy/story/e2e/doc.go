// Package e2e plays the story of three services on real servers, as processes: customers from a
// seed, the warehouse's simulator, and faults between. In the end the checker of package story
// finds nothing.
//
//	STORY_SHOPPERS  how many customers come: 500
//	STORY_SEED      of what is random; else a new one, which is printed
//	STORY_RATE      how many commands customers send in a second: 400
//	STORY_FAULTS    how many faults there are meanwhile: 5
//	STORY_STOP      how long TestStops stops each service, at least 30s; unset skips it
//
// How many times as long something may take in TestStops, by its p99:
//
//	STORY_STOPPED_RATIO  while a service is stopped that it does not need: 1.5
//	STORY_CATCHUP_RATIO  while one catches up: 3
//	STORY_CLICK_RATIO    from click to reservation, as one hop: 3
package e2e
