/** The parts that run anywhere: types, errors, and what works on data alone. `node.ts` and `web.ts` add a platform. */
export { ConvlensError, type ErrorCode, errorCodes } from "./core/errors.ts";
