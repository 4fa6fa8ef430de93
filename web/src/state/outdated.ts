/** The answer belongs to a life of the entities that is over. */
export class Outdated extends Error {}
