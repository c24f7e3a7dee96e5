import RequestQueue from 'kafkajs/src/network/requestQueue/index.js'

const schedule = RequestQueue.prototype.scheduleCheckPendingRequests

/**
 * kafkajs 2.2.4 plans its next look at the queue of requests after every answer, also when the queue is empty and with a
 * negative delay then: thousands of timers a second (kafkajs #1751). A look is planned again whenever a request is
 * queued, so nothing waits for the ones that are left out.
 */
export function calmRequestQueues(): void {
  RequestQueue.prototype.scheduleCheckPendingRequests = function (this: RequestQueue) {
    if (this.pending.length > 0) schedule.call(this)
  }
}
