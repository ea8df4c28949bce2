/** Stands in the title of every suite that did not run for want of something. */
export const DID_NOT_RUN = 'did not run:';
