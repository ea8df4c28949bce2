import { openApiDocument } from '@sluice/contract';
import express, { Router } from 'express';
import { absolutePath } from 'swagger-ui-dist';

// Runs in the page; replaces the initialiser that would load somebody else's API.
const initialiser = `window.ui = SwaggerUIBundle({
  url: '/openapi.json', dom_id: '#swagger-ui', deepLinking: true, tryItOutEnabled: true,
  presets: [SwaggerUIBundle.presets.apis, SwaggerUIStandalonePreset], layout: 'BaseLayout',
});`;

/** The API reference, served from here: it works without a network. */
export function referenceRoutes(version: string): Router {
  const router = Router();
  const document = openApiDocument(version);
  router.get('/openapi.json', (_request, response) => {
    response.json(document);
  });
  router.get('/docs/swagger-initializer.js', (_request, response) => {
    response.type('text/javascript').send(initialiser);
  });
  router.use('/docs', express.static(absolutePath(), { maxAge: '1h' }));
  return router;
}
